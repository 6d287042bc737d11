"""A list is read to its end, and nothing is concluded from a part of it."""

from __future__ import annotations

import json
from itertools import count

import pytest
import responses

from sync.errors import IncompleteRead, Malformed, Vanished
from taiga_pipeline.http import bounds
from taiga_pipeline.targets.taiga.paging import read_rows
from tests.targets.support import API, ManualClock, build_client

URL = f"{API}/userstories"


def page(mock: responses.RequestsMock, ids: list[int], count: int, more: bool = False) -> None:
    """Lets the next request be answered with a page."""
    headers = {"X-Pagination-Count": str(count)} | ({"X-Pagination-Next": "x"} if more else {})
    mock.get(URL, json=[{"id": number} for number in ids], headers=headers)


def read() -> list[int]:
    return [row["id"] for row in read_rows(build_client(ManualClock()), "userstories", {})]


def test_pages_are_asked_for_in_turn_and_as_large_as_taiga_allows() -> None:
    with responses.RequestsMock() as mock:
        page(mock, [1, 2], 3, more=True)
        page(mock, [3], 3)
        assert read() == [1, 2, 3]
        urls = [str(call.request.url) for call in mock.calls]
    assert urls == [f"{URL}?page_size=1000&page={number}" for number in (1, 2)]


def test_an_empty_list_is_whole() -> None:
    with responses.RequestsMock() as mock:
        page(mock, [], 0)
        assert read() == []


def test_a_row_that_slipped_to_a_page_already_read_is_found_by_reading_again() -> None:
    with responses.RequestsMock() as mock:
        page(mock, [1, 2], 4, more=True)
        page(mock, [4], 3)  # 1 was deleted meanwhile, so that 3 moved to the first page
        page(mock, [2, 3], 3, more=True)
        page(mock, [4], 3)
        assert read() == [1, 2, 4, 3]


def test_a_list_that_became_shorter_than_its_last_page_is_read_again() -> None:
    with responses.RequestsMock() as mock:
        page(mock, [1, 2], 3, more=True)
        mock.get(URL, status=404, json={"_error_message": "Page is not 'last'"})
        page(mock, [1, 2], 2)
        assert read() == [1, 2]


def test_a_row_on_two_pages_is_yielded_once() -> None:
    with responses.RequestsMock() as mock:
        page(mock, [1, 2], 3, more=True)
        page(mock, [2], 3)
        page(mock, [1, 2], 3, more=True)
        page(mock, [3], 3)
        assert read() == [1, 2, 3]


def test_a_next_page_without_rows_is_the_end() -> None:
    with responses.RequestsMock() as mock:
        for _ in range(3):
            page(mock, [1], 2, more=True)
            page(mock, [], 2, more=True)
        with pytest.raises(IncompleteRead, match="1 of 2 arrived, 3 times"):
            read()


def test_a_page_that_brings_nothing_new_ends_the_reading() -> None:
    with responses.RequestsMock() as mock:
        page(mock, [1, 2], 9, more=True)  # whatever page is asked for, with a next one, forever
        with pytest.raises(IncompleteRead, match="2 of 9 arrived, 3 times"):
            list(read_rows(build_client(ManualClock()), "userstories", {}))
        assert len(mock.calls) == 6


def test_a_list_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "PAGES", 5)
    numbers = count(1)

    def another(request: object) -> tuple[int, dict[str, str], str]:
        headers = {"X-Pagination-Count": "9", "X-Pagination-Next": "x"}
        return 200, headers, json.dumps([{"id": next(numbers)}])

    with responses.RequestsMock() as mock:
        mock.add_callback("GET", URL, another)
        with pytest.raises(IncompleteRead, match="more than 5 pages"):
            list(read_rows(build_client(ManualClock()), "userstories", {}))


def test_a_list_whose_pages_take_too_long_is_given_up() -> None:
    numbers, clock = count(1), ManualClock()

    def another(request: object) -> tuple[int, dict[str, str], str]:
        clock.sleep(100)
        headers = {"X-Pagination-Count": "9", "X-Pagination-Next": "x"}
        return 200, headers, json.dumps([{"id": next(numbers)}])

    with responses.RequestsMock() as mock:
        mock.add_callback("GET", URL, another)
        with pytest.raises(IncompleteRead, match="not complete after 3,600 s"):
            list(read_rows(build_client(clock), "userstories", {}))
        assert len(mock.calls) == 37


def test_without_a_count_nobody_can_tell() -> None:
    with responses.RequestsMock() as mock:
        mock.get(URL, json=[])
        with pytest.raises(IncompleteRead, match="X-Pagination-Count"):
            read()


@pytest.mark.parametrize("body", [{"id": 1}, [1], [{"name": "x"}], [{"id": "1"}]])
def test_what_is_no_list_of_objects_is_no_list(body: object) -> None:
    with responses.RequestsMock() as mock:
        mock.get(URL, json=body, headers={"X-Pagination-Count": "1"})
        with pytest.raises(Malformed, match="GET userstories: what the server answered"):
            read()


def test_a_list_that_is_not_there_has_vanished() -> None:
    with responses.RequestsMock() as mock:
        mock.get(URL, status=404, json={"_error_message": ""})
        with pytest.raises(Vanished):
            read()


def test_a_list_whose_order_is_not_unique_is_read_without_pages() -> None:
    url = f"{API}/roles"
    with responses.RequestsMock() as mock:
        first = [{"id": 1}, {"id": 2}]
        mock.get(url, json=first, headers={"X-Pagination-Count": "3", "X-Pagination-Next": "x"})
        mock.get(url, json=[*first, {"id": 3}])
        rows = list(read_rows(build_client(ManualClock()), "roles", {"project": 7}))
        whole = mock.calls[1].request
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert whole.url == f"{url}?project=7"
    assert whole.headers["x-disable-pagination"] == "True"


def test_a_list_without_pages_is_checked_against_the_count_all_the_same() -> None:
    url = f"{API}/roles"
    with responses.RequestsMock() as mock:
        for _ in range(3):
            headers = {"X-Pagination-Count": "3", "X-Pagination-Next": "x"}
            mock.get(url, json=[{"id": 1}], headers=headers)
            mock.get(url, json=[{"id": 1}, {"id": 2}])
        with pytest.raises(IncompleteRead, match="2 of 3 arrived, 3 times") as raised:
            list(read_rows(build_client(ManualClock()), "roles", {}))
    assert "people" not in str(raised.value)


def test_milestones_are_asked_for_in_an_order_that_tells_them_apart() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/milestones", json=[], headers={"X-Pagination-Count": "0"})
        assert list(read_rows(build_client(ManualClock()), "milestones", {})) == []
        assert "order_by=project" in str(mock.calls[0].request.url)
