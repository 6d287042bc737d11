"""Sends calls of methods to Odoo, in the dialect that it understands."""

from __future__ import annotations

from collections.abc import Mapping

from taiga_pipeline.http.answer import JSON, Answer
from taiga_pipeline.http.transport import Params, Transport
from taiga_pipeline.http.upload import Upload
from taiga_pipeline.odoo.dialects import (
    COMMON,
    JSON2,
    RPC,
    Dialect,
    Json2,
    Request,
    service,
    understood,
)


class OdooTransport(Transport):
    """The connections to one Odoo. ``dialect`` is to be set before a model is asked for."""

    dialect: Dialect | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        body: JSON | Upload = None,
        params: Params | None = None,
        credentials: Mapping[str, str] | None = None,
    ) -> Answer:
        """Sends a call ("crm.lead/read", with named arguments); raises as `Transport.send`."""
        answer = self._sent(method, path, body, params, credentials or {})
        if isinstance(self.dialect, Json2) and self.dialect.learns(path, answer):
            return self._sent(method, path, body, params, credentials or {})
        return answer

    def _sent(
        self,
        method: str,
        path: str,
        body: JSON | Upload,
        params: Params | None,
        credentials: Mapping[str, str],
    ) -> Answer:
        request = self._request_of(path, body)
        answer = super().send(
            method,
            request.path,
            body=request.body,
            params=params,
            credentials={**credentials, **request.headers},
        )
        return understood(request.path, answer)

    def _request_of(self, path: str, body: JSON | Upload) -> Request:
        if path.startswith(COMMON):
            assert isinstance(body, dict)
            return service("common", path.removeprefix(COMMON), *body.get("args", ()))
        if path == RPC or path.startswith(JSON2):
            return Request(path, body, {})
        assert self.dialect is not None, "the log-in comes first"
        assert isinstance(body, dict)
        return self.dialect.request(path, body)
