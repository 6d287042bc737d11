"""Everything that one port serves: the API, the pages for people, and, if switched on, the
control API.
"""

from taiga_pipeline.sandbox.errors import unrouted
from taiga_pipeline.sandbox.serving import pages
from taiga_pipeline.sandbox.serving.application import Application, Delivery
from taiga_pipeline.sandbox.serving.control import PREFIX, Control
from taiga_pipeline.sandbox.serving.wire import API_PREFIX, Request


class Site:
    """Hands each request to whom it concerns; only the API has faults, delays and a log."""

    def __init__(self, application: Application, control: Control | None) -> None:
        self._application = application
        self._control = control

    def handle(self, request: Request) -> Delivery:
        """Answer one request."""
        if request.path.startswith(API_PREFIX):
            return self._application.handle(request)
        if self._control is not None and request.path.startswith(PREFIX):
            return Delivery(self._control.handle(request))
        page = pages.render(self._application.store, request)
        return Delivery(page or unrouted().response)
