"""The answer of an injected fault: one of Adobe's errors by its code, or a bare status."""

from __future__ import annotations

from aepmock.contract import Contract, error_response
from aepmock.errors import UsageError, unknown
from aepmock.messages import Response


def fault_answer(
    contract: Contract, operation: str, *, code: str | None, status: int | None, request_id: str
) -> Response:
    """What a fault of `operation` "connections.create" answers.

    `code` is one of the catalogue ("1103-503"), or `status` a bare HTTP status with an empty
    body. Raises UsageError for names that are none, and unless exactly one of the two is given.
    """
    if operation not in contract.operations:
        raise unknown("operation", operation, contract.operations)
    if (code is None) == (status is None):
        raise UsageError("fault() takes either code='1103-503' or status=503")
    if code is not None:
        if code not in contract.errors:
            raise unknown("code", code, contract.errors)
        return error_response(contract.errors[code], request_id=request_id)
    assert status is not None
    if not 100 < status < 600:
        raise UsageError(f"{status} is no HTTP status")
    return Response(status)
