"""Messages reach the machines that the configuration names, as text, and nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

import pytest

from sync.state.outbox import MessageStatus
from taiga_pipeline.credentials import Secret
from taiga_pipeline.notify.channels import channels_of
from taiga_pipeline.notify.sending import ChildSender, Delivery
from taiga_pipeline.notify.text import LONGEST_TITLE, body_text, title_line, without_markup
from taiga_pipeline.problems import ProblemsError
from tests.notify.receivers import Mail, Web, mail, web

pytestmark = pytest.mark.sampled_tests(4)

HOSTILE = (
    "Ann\r\nBcc: all@evil.test <b>x</b> **y** @channel [z](http://evil.test) {{ 7*7 }} :smile:"
)


@pytest.fixture
def chat() -> Iterator[Web]:
    with web() as server:
        yield server


@pytest.fixture
def post() -> Iterator[Mail]:
    with mail() as server:
        yield server


def send(
    address: str, title: str = "a", text: str = "b", hosts: Sequence[str] = (), seconds: float = 20
) -> Delivery:
    """Sends a message as the program does."""
    (channel,) = channels_of(Secret(address), hosts, "notify.urls_env")
    return ChildSender(seconds, os.environ)(channel, title, text)


def test_a_mail_is_plain_text_with_no_header_of_a_deals_name(post: Mail) -> None:
    assert send(post.address, HOSTILE, "line\n" + HOSTILE.replace("\r\n", " ")) == Delivery(
        MessageStatus.SENT
    )
    (found,) = post.mails
    assert found.get_content_type() == "text/plain"
    assert found["Subject"] == title_line(HOSTILE)
    assert found["Bcc"] is None
    assert "{{ 7*7 }} :smile:" in found.get_content()
    assert [line for line in post.lines if line.startswith("rcpt")] == [
        "rcpt TO:<petra@example.test>"
    ]


def test_a_chat_shows_text_without_markup_links_and_calls(chat: Web) -> None:
    assert send(chat.mattermost, "a", HOSTILE).status is MessageStatus.SENT
    (message,) = chat.posts
    for markup in ("<b>", "**y", "@channel", "](http", "http://", ":smile"):
        assert markup not in re.sub(r"\\.", "", message["text"])
    assert set(message) == {"text", "username"}  # no picture from elsewhere


def test_a_push_service_gets_title_and_text(chat: Web) -> None:
    assert send(chat.ntfy, "Won: D-1", "It starts.").status is MessageStatus.SENT
    assert chat.posts == [{"topic": "wins", "title": "Won: D-1", "message": "It starts."}]


def test_no_redirection_is_followed(chat: Web) -> None:
    with web() as other:
        chat.status, chat.location = 307, f"http://127.0.0.1:{other.port}/elsewhere"
        found = send(chat.mattermost)
        assert (found, other.posts) == (
            Delivery(MessageStatus.REFUSED, "the server answered 307"),
            [],
        )


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [
        ("slack://TokenA12345/TokenB1234/TokenC12345678901234567890", "hooks.slack.com"),
        ("mailto://me:secret-word@gmail.com", "smtp.gmail.com"),
        ("ntfy://secret-topic", "ntfy.sh"),
        ("rsyslog://127.0.0.1", "127.0.0.1"),
    ],
)
def test_nothing_goes_to_a_machine_that_nobody_named(address: str, elsewhere: str) -> None:
    found = send(address)
    assert found.status is MessageStatus.REFUSED
    assert found.detail.startswith(f"it would have gone to {elsewhere}, which")
    assert "secret" not in found.detail


def test_a_server_that_is_down_is_tried_again_and_one_that_refuses_is_not(
    chat: Web, post: Mail
) -> None:
    post.refuses, chat.status = True, 403
    assert send(post.address) == Delivery(MessageStatus.REFUSED, "the server answered 550")
    assert send(chat.mattermost) == Delivery(MessageStatus.REFUSED, "the server answered 403")
    nobody = "mmost://127.0.0.1:9/3ccdd113474722377935511fc85d3dd4"
    assert send(nobody) == Delivery(MessageStatus.DUE, "the server cannot be reached")


def test_an_answer_without_an_end_holds_nobody(chat: Web) -> None:
    chat.endless = True
    assert send(chat.mattermost).status is MessageStatus.SENT


def test_channels_are_named_without_their_secrets() -> None:
    addresses = (
        "mailtos://me:pass-word@example.com?smtp=mail.example.com mmosts://chat.example.com/hook-key"
        "\nslack://TokenA/TokenB/TokenC ntfys://secret-topic mmosts://chat.example.com/other-key"
    )
    found = channels_of(Secret(addresses), ["hooks.slack.com"], "notify.urls_env")
    assert [each.name for each in found] == [
        "mailtos://mail.example.com",
        "mmosts://chat.example.com",
        "slack://",
        "ntfys://",
        "mmosts://chat.example.com (2)",
    ]
    assert "pass-word" not in repr(found)
    assert found[0].hosts == {"mail.example.com", "example.com", "hooks.slack.com"}


def test_what_is_no_address_is_reported_by_its_number_alone() -> None:
    with pytest.raises(ProblemsError) as caught:
        channels_of(Secret("mmosts://chat.example.com/x hunter2"), (), "notify.urls_env")
    assert "address 2" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_texts_are_bounded() -> None:
    assert len(title_line("x" * 9_000)) == LONGEST_TITLE
    assert body_text("\n".join(["line"] * 9_000)).endswith(" more lines")
    assert without_markup("1. a\n- b\n+ c") == "1\\. a\n\\- b\n\\+ c"
