"""What a run tells monitors: a heartbeat, and a file of metrics. Both only if configured.

Neither ever makes a run fail: what goes wrong here is logged.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from sync.run.runner import Outcome, RunReport
from sync.state.health import look_at
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.files import PUBLIC, write_text
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.report.prometheus import metrics

if TYPE_CHECKING:
    from sync.state.store import StateStore

_LOG: Final = logging.getLogger(__name__)
_SECONDS: Final = 5.0
"""The longest silence; until the headers have come, it may take four times as long."""
_ENDED_WELL: Final = (Outcome.DONE, Outcome.PARTIAL)


def send_heartbeat(workspace: Workspace, result: RunReport) -> None:
    """Asks for the heartbeat's address if the run finished.

    The address holds a secret: it is in no message, nor is anything that the HTTP library says.
    """
    if result.outcome not in _ENDED_WELL:
        return
    import requests

    from taiga_pipeline.http.deadline import DeadlineAdapter

    try:
        url = workspace.settings.monitoring.heartbeat_address(workspace.environment)
        if not url:
            return
        with requests.Session() as session:
            session.mount("http://", DeadlineAdapter())
            session.mount("https://", DeadlineAdapter())
            # No one reads the body: it may be long, or come drop by drop.
            with session.get(
                url,
                timeout=_SECONDS,
                allow_redirects=False,
                stream=True,
                auth=lambda request: request,
            ) as answer:
                status, is_fine = answer.status_code, answer.ok
    except (requests.RequestException, OSError) as error:
        _LOG.warning("the heartbeat was not sent (%s)", type(error).__name__)
    except (ValueError, ProblemsError):  # the variable is not set, or holds no address
        _LOG.warning("the heartbeat was not sent: monitoring.heartbeat_url_env holds no address")
    else:
        if not is_fine:
            _LOG.warning("the heartbeat was answered with %s", status)


def write_metrics(workspace: Workspace, store: StateStore) -> None:
    """Writes the file for Prometheus' textfile collector, whole or not at all.

    Anyone may read it (mode 0644): the collector runs as another user. It holds numbers, no names
    but the pipeline's.
    """
    path = workspace.settings.monitoring.prometheus_file
    if path is None:
        return
    try:
        write_text(path, metrics(look_at(store)), PUBLIC)
    except OSError as error:
        _LOG.warning("%s was not written: %s", path, error.strerror)
