"""The fixtures and the marker, as a test author meets them."""

from __future__ import annotations

import pytest

CLIENT = """
import httpx

def headers(settings, **changes):
    found = {
        "Authorization": f"Bearer {settings.access_token}",
        "x-api-key": settings.api_key,
        "x-gw-ims-org-id": settings.ims_org_id,
        "x-sandbox-name": settings.sandbox_name,
    }
    return {k: v for k, v in {**found, **changes}.items() if v is not None}

def get(settings, path="/connections", **changes):
    return httpx.get(settings.base_url + path, headers=headers(settings, **changes))
"""


@pytest.fixture
def consumer(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with strict settings and a small client."""
    pytester.makepyprojecttoml(
        """
        [tool.pytest.ini_options]
        addopts = ["--strict-markers", "--strict-config"]
        filterwarnings = ["error"]
        """
    )
    pytester.makepyfile(client=CLIENT)
    return pytester


def test_a_right_request_passes_and_shows_in_the_journal(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        from client import get

        def test_it(aepmock):
            made = aepmock.seed_connection(name="a")
            assert get(aepmock.settings).json()["items"][0]["id"] == made["id"]
            assert len(aepmock.journal) == 1
            assert aepmock.journal[0].findings == ()
            assert aepmock.settings.access_token not in str(aepmock.journal[0])
            assert aepmock.connections[0]["name"] == "a"
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_a_request_that_breaks_a_must_fails_the_test_with_clause_and_diff(
    consumer: pytest.Pytester,
) -> None:
    consumer.makepyfile(
        """
        from client import get

        def test_it(aepmock):
            get(aepmock.settings, **{"x-sandbox-name": None})
        """
    )
    result = consumer.runpytest_subprocess("-q")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*request.sandbox (must): x-sandbox-name is missing",
            "*the nearest right request:",
            "*+x-sandbox-name: dev",
            "*@pytest.mark.aepmock(strict=False)*",
        ]
    )


def test_the_innermost_marker_wins_key_by_key(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        import pytest
        from client import get

        pytestmark = pytest.mark.aepmock(sandbox="stage", strict=True)

        @pytest.mark.aepmock(strict=False)
        def test_it(aepmock):
            assert aepmock.settings.sandbox_name == "stage"
            assert get(aepmock.settings, Authorization=None).status_code == 403
            assert aepmock.journal[0].clause == "request.authorization"
            assert "Authorization" in aepmock.journal[0].diff
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_a_reading_is_switched_by_the_marker(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        import httpx, pytest
        from client import headers

        @pytest.mark.aepmock(readings={"connections.delete-status": "202"})
        def test_it(aepmock):
            made = aepmock.seed_connection()
            url = f"{aepmock.settings.base_url}/connections/{made['id']}"
            assert httpx.delete(url, headers=headers(aepmock.settings)).status_code == 202
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("aepmock(faults=['connections.list: 50e'])", "unknown fault '50e'*"),
        ("aepmock(faults='connections.list: 503')", "faults takes a list*"),
        ("aepmock(strickt=False)", "*did you mean 'strict'*"),
        ("aepmock(False)", "*takes names only*"),
        ("aepmock(readings={'nix': 'x'})", "*unknown reading 'nix'*"),
    ],
)
def test_a_wrong_marker_is_refused_with_its_place(
    consumer: pytest.Pytester, marker: str, message: str
) -> None:
    consumer.makepyfile(
        test_wrong=f"import pytest\n\n@pytest.mark.{marker}\ndef test_it(aepmock):\n    pass\n"
    )
    result = consumer.runpytest_subprocess("-q")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*test_wrong.py:*: {message}"])


def test_the_server_fixture_serves_any_client(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        import json, urllib.request
        from client import headers

        def test_it(aepmock_server):
            aepmock_server.seed_connection(name="a")
            url = aepmock_server.settings.base_url + "/connections"
            assert url.startswith("http://127.0.0.1:")
            request = urllib.request.Request(url, headers=headers(aepmock_server.settings))
            with urllib.request.urlopen(request) as answer:
                assert json.load(answer)["items"][0]["name"] == "a"
            assert len(aepmock_server.journal) == 1
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_an_escape_to_adobe_fails_even_if_the_client_swallows_it(
    consumer: pytest.Pytester,
) -> None:
    consumer.makepyfile(
        """
        import urllib.request

        def test_it(aepmock):
            try:
                urllib.request.urlopen("https://platform.adobe.io/x")
            except Exception:
                pass
        """
    )
    result = consumer.runpytest_subprocess("-q")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*tried to reach platform.adobe.io itself*aepmock_server*"])


def test_mock_works_inside_a_hypothesis_test(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        import aepmock
        from client import get
        from hypothesis import given, settings, strategies as st

        @settings(database=None, max_examples=20)
        @given(st.integers(0, 3))
        def test_it(number):
            with aepmock.mock() as service:
                for _ in range(number):
                    service.seed_connection()
                assert len(get(service.settings).json()["items"]) == number
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_two_mocks_at_once_get_their_own_requests(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        import aepmock
        from client import get

        def test_it():
            with aepmock.mock(seed=1) as outer, aepmock.mock(seed=2) as inner:
                outer.seed_connection(name="outer")
                assert [i["name"] for i in get(outer.settings).json()["items"]] == ["outer"]
                assert get(inner.settings).json()["items"] == []
                assert (len(outer.journal), len(inner.journal)) == (1, 1)
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_the_fixture_beside_a_mock_of_the_module_and_one_in_the_test(
    consumer: pytest.Pytester,
) -> None:
    consumer.makepyfile(
        """
        import aepmock as kit
        import pytest
        from client import get

        @pytest.fixture(scope="module")
        def shared():
            with kit.mock() as mock:
                mock.seed_connection(name="shared")
                yield mock

        @pytest.mark.parametrize("turn", [1, 2])
        def test_it(shared, aepmock, turn):
            with kit.mock() as own:
                own.seed_connection(name="own")
                assert get(aepmock.settings).json()["items"] == []
                assert get(own.settings).json()["items"][0]["name"] == "own"
            assert get(shared.settings).json()["items"][0]["name"] == "shared"
            assert (len(shared.journal), len(aepmock.journal)) == (turn, 1)
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=2)


def test_a_fault_that_never_happened_fails_the_test(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        import pytest
        from client import get

        @pytest.mark.aepmock(faults=["connections.list: 503; call=2"])
        def test_too_late(aepmock):
            assert get(aepmock.settings).status_code == 200

        def test_elsewhere(aepmock):
            aepmock.fault("connections.create", "503, reset")
        """
    )
    result = consumer.runpytest_subprocess("-q")
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*a fault of this test never happened: connections.list: 503; call=2",
            "*of 1 requests of that operation it was for none",
            "*a fault of this test never happened: connections.create: 503, reset",
            "*no request of that operation came, of 0 in all",
            "*required=False*strict=False*",
        ]
    )


def test_a_fault_that_need_not_happen_is_told_so(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        import pytest
        from client import get

        @pytest.mark.aepmock(faults=["connections.list: 503; required=false"])
        def test_in_words(aepmock):
            assert str(aepmock.faults[0]).endswith("; required=false")

        @pytest.mark.aepmock(faults=[{"operation": "*", "fault": "503", "required": False}])
        def test_as_data(aepmock):
            aepmock.fault("connections.get", "reset", required=False)

        @pytest.mark.aepmock(strict=False, faults=["connections.list: 503"])
        def test_not_strict(aepmock):
            pass

        def test_the_rest_of_it_need_not_happen(aepmock):
            aepmock.fault("connections.list", "503, 503", times=3)
            assert get(aepmock.settings).status_code == 503

        def test_forgotten_with_the_rest(aepmock):
            aepmock.fault("connections.list", "503")
            aepmock.reset()
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=5)


@pytest.mark.parametrize("tool", ["freezegun", "time_machine"])
def test_time_follows_the_tools_that_move_it_where_it_is_told_to(
    consumer: pytest.Pytester, tool: str
) -> None:
    consumer.makepyfile(
        f"""
        from client import get

        if "{tool}" == "freezegun":
            from freezegun import freeze_time as stopped
            def moved(clock, seconds): clock.tick(seconds)
        else:
            from time_machine import travel
            def stopped(date): return travel(date, tick=False)
            def moved(clock, seconds): clock.shift(seconds)

        def test_it_follows(aepmock):
            with stopped("2031-05-01") as clock:
                aepmock.clock.follow()
                moved(clock, 23 * 3600)
                assert get(aepmock.settings).status_code == 200
                moved(clock, 3600)
                assert get(aepmock.settings).json()["error_code"] == "401013"

        def test_it_does_not_follow_by_itself(aepmock):
            with stopped("2031-05-01") as clock:
                moved(clock, 25 * 3600)
                assert get(aepmock.settings).status_code == 200

        def test_a_step_back_is_none(aepmock):
            aepmock.clock.follow()
            before = aepmock.clock.now_ms()
            with stopped("1999-05-01"):
                assert 0 <= aepmock.clock.now_ms() - before < 60_000
                aepmock.clock.advance(hours=24)
                assert get(aepmock.settings).status_code == 401
        """
    )
    consumer.runpytest_subprocess("-q", "-W", "ignore").assert_outcomes(passed=3)


def test_a_fault_answers_in_the_vendor_s_words_and_is_refused_when_misspelt(
    consumer: pytest.Pytester,
) -> None:
    consumer.makepyfile(
        """
        import pytest
        from aepmock import UsageError
        from client import get

        def test_it(aepmock):
            aepmock.fault("connections.list", code="1103-503")
            refused = get(aepmock.settings)
            assert refused.status_code == 503
            assert refused.json()["type"].endswith("FLOW-1103-503")
            assert get(aepmock.settings).status_code == 200
            with pytest.raises(UsageError, match="did you mean 'connections.list'"):
                aepmock.fault("connections.lst", code="1103-503")
            with pytest.raises(UsageError, match="unknown code"):
                aepmock.fault("connections.list", code="9999-999")
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_the_marker_lets_things_go_wrong_from_the_start(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        import httpx, pytest
        from client import get

        @pytest.mark.aepmock(faults=["connections.list: 503, reset; call=2"])
        def test_it(aepmock):
            assert get(aepmock.settings).status_code == 200
            assert get(aepmock.settings).status_code == 503
            with pytest.raises(httpx.ReadError):
                get(aepmock.settings)
            assert [e.fault for e in aepmock.journal] == ["", "503", "reset"]
            assert "no answer (a fault: reset)" in repr(aepmock.journal)
            assert aepmock.faults == []

        @pytest.mark.aepmock(faults=[{"operation": "*", "fault": "latency 50ms", "times": 2}])
        def test_over_the_wire(aepmock_server):
            assert get(aepmock_server.settings).status_code == 200
            assert len(aepmock_server.faults) == 1
            assert aepmock_server.waited_s >= 0.05
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=2)


def test_the_words_of_a_fault_are_checked_where_they_stand(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        import pytest
        from aepmock import UsageError

        def test_it(aepmock):
            with pytest.raises(UsageError, match="did you mean 'timeout'"):
                aepmock.fault("connections.list", "timout")
            aepmock.fault("connections.list", "lost answer: reset", times=2, when={"call": 3})
            assert [str(fault) for fault in aepmock.faults] == [
                "connections.list: lost answer: reset; times=2; call=3"
            ]
            aepmock.reset()
            assert aepmock.faults == []
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_every_token_expires_on_demand(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        from client import get

        def test_it(aepmock):
            assert get(aepmock.settings).status_code == 200
            aepmock.expire_tokens()
            assert get(aepmock.settings).json()["error_code"] == "401013"

        def test_a_day_later(aepmock):
            aepmock.clock.advance(hours=24)
            assert get(aepmock.settings).status_code == 401
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=2)


def test_time_goes_by_when_the_test_says_so(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        from client import get

        def test_it(aepmock):
            assert get(aepmock.settings).status_code == 200
            aepmock.clock.advance(25 * 3600)
            assert get(aepmock.settings).json()["error_code"] == "401013"
        """
    )
    consumer.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_fixtures_work_in_two_workers(consumer: pytest.Pytester) -> None:
    consumer.makepyfile(
        """
        import pytest
        from client import get

        @pytest.mark.parametrize("number", range(8))
        def test_it(aepmock, number):
            aepmock.seed_connection(name=str(number))
            assert get(aepmock.settings).json()["items"][0]["name"] == str(number)
        """
    )
    consumer.runpytest_subprocess("-q", "-n", "2").assert_outcomes(passed=8)
