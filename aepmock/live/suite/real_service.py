"""The live run as the suite sees it: where its tests are run, and what its report adds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aepmock.judge import Report, Tally
from aepmock.live.drift.walk import merged
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.suite.harness import LiveHarness
from aepmock.live.suite.skip_reasons import with_reasons
from aepmock.suite.config import SuiteConfig


@dataclass(frozen=True)
class LiveService:
    """The sandbox of a live run, in the form that `SuiteConfig.real_service` has."""

    handler: LiveHandler

    @property
    def takes_invalid(self) -> bool:
        return bool(self.handler.settings.send_invalid)

    def harness(self, config: SuiteConfig, name: str) -> LiveHarness:
        return LiveHarness(config, name, self.handler)

    def reported(self, report: Report, tally: Tally) -> Report:
        about = self.handler.about()
        return replace(
            report,
            mode="live",
            results=with_reasons(report.results, about),
            live=merged([tally.live]),
            live_run=about,
        )
