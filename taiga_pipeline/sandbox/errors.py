"""The refusals of a Taiga server, in the shapes that a real one was seen to use."""

from collections.abc import Mapping
from http import HTTPStatus

from taiga_pipeline.sandbox.serving.wire import Json, Response, html_response, json_response

_EXCEPTIONS = "taiga.base.exceptions."
_SPANISH = {"This field is required.": "Este campo es requerido."}
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="api"'}


class ApiError(Exception):
    """A request that is refused; `response` is what the client gets."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status} {response.body[:200]!r}")
        self.response = response


def _refusal(
    status: int, message: str, error: str | None = None, headers: Mapping[str, str] | None = None
) -> ApiError:
    body = {"_error_message": message}
    if error:
        body["_error_type"] = _EXCEPTIONS + error
    return ApiError(json_response(body, status, headers))


def bad_request(message: str, error: str = "BadRequest") -> ApiError:
    """400 with a sentence."""
    return _refusal(400, message, error)


def bare_bad_request(message: str) -> ApiError:
    """400 with a sentence and no error type, as bulk endpoints answer."""
    return _refusal(400, message)


def invalid(errors: Json) -> ApiError:
    """400 with messages by field (or whatever odd shape an endpoint uses)."""
    return ApiError(json_response(errors, 400))


def invalid_pk(value: object) -> str:
    """The message for a reference to something that does not exist."""
    return f"Invalid pk '{value}' - object does not exist."


def not_authenticated(message: str = "Authentication credentials were not provided.") -> ApiError:
    """401 for a request without usable credentials."""
    return _refusal(401, message, "NotAuthenticated", CHALLENGE)


def bad_token(detail: str, code: str, messages: list[dict[str, str]] | None = None) -> ApiError:
    """401 in the shape of the JWT layer."""
    body: dict[str, Json] = {"detail": detail, "code": code}
    if messages is not None:
        body["messages"] = messages
    return ApiError(json_response(body, 401, CHALLENGE))


def permission_denied(
    message: str = "You do not have permission to perform this action.",
) -> ApiError:
    """403."""
    return _refusal(403, message, "PermissionDenied")


def archived() -> ApiError:
    """403 for a write to an archived project."""
    return permission_denied("Archived element")


def blocked() -> ApiError:
    """451 for a write to a blocked project."""
    return _refusal(451, "Blocked element", "Blocked")


def not_found(message: str = "") -> ApiError:
    """404 from an endpoint; Taiga mostly leaves the message empty."""
    return _refusal(404, message)


def no_match(kind: str) -> ApiError:
    """404 for an object of a kind, named as in the server's models."""
    return not_found(f"No {kind} matches the given query.")


def unrouted() -> ApiError:
    """404 for a path that no endpoint has: an HTML page."""
    text = "The requested resource was not found on this server."
    return ApiError(html_response(HTTPStatus.NOT_FOUND, "Not Found", text))


def method_not_allowed(method: str) -> ApiError:
    """405."""
    return _refusal(405, f"Method '{method}' not allowed.", "MethodNotAllowed")


def not_acceptable() -> ApiError:
    """406."""
    return _refusal(406, "Could not satisfy the request's Accept header", "NotAcceptable")


def unsupported_media_type(media_type: str) -> ApiError:
    """415."""
    return _refusal(
        415, f"Unsupported media type '{media_type}' in request.", "UnsupportedMediaType"
    )


def throttled(wait: int) -> ApiError:
    """429; the header rounds up, the sentence down, and there is no Retry-After."""
    message = f"Request was throttled.Expected available in {max(wait - 1, 0)} seconds."
    return _refusal(429, message, "Throttled", {"X-Throttle-Wait-Seconds": str(wait)})


def server_error(html: bool = False) -> ApiError:
    """500: JSON (labelled as HTML!) on POST and PATCH, a page on GET, DELETE and multipart."""
    if html:
        return ApiError(html_response(500, "Server Error (500)"))
    response = json_response({"error": "Server application error"}, 500)
    response.content_type = "text/html; charset=utf-8"
    return ApiError(response)


def localised(response: Response, language: str) -> Response:
    """Translate the commonest message, so that nobody comes to rely on its English text."""
    if response.status == HTTPStatus.BAD_REQUEST and language.lower().startswith("es"):
        for english, spanish in _SPANISH.items():
            response.body = response.body.replace(english.encode(), spanish.encode())
    return response
