"""Files are taken apart as they occur; a broken row costs that row only."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import Unreachable
from taiga_pipeline.pipeline.files import csv_reader
from taiga_pipeline.pipeline.files.csv_reader import BrokenRow, RawRow, guard, parse_csv, unguard
from taiga_pipeline.pipeline.files.grid import MAX_COLUMNS
from taiga_pipeline.pipeline.files.reading import read_table
from taiga_pipeline.problems import ProblemsError


def rows_of(tmp_path: Path, data: bytes | str, **options: str) -> list[RawRow | BrokenRow]:
    file = tmp_path / "file.csv"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read_table(file, **options).rows())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path: Path, delimiter: str) -> None:
    text = "id,name\n1,a b\n".replace(",", delimiter)
    assert rows_of(tmp_path, text) == [RawRow(2, ("1", "a b"))]


def test_the_separator_line_of_spreadsheets_is_obeyed(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "sep=;\r\nid;a,b,c\r\n1;x\r\n") == [RawRow(3, ("1", "x"))]


def test_blanks_before_quoted_cells_are_none_of_them(tmp_path: Path) -> None:
    text = 'id, name, note\n1, "a, b", c\n2, "d ""e""", "f"\n'
    assert rows_of(tmp_path, text) == [
        RawRow(2, ("1", "a, b", "c")),
        RawRow(3, ("2", 'd "e"', "f")),
    ]
    inside = 'id, name\n1, "a" and b\n'
    assert rows_of(tmp_path, inside) == [RawRow(2, ("1", ' "a" and b'))]


def test_quotation_marks_around_whole_lines_are_taken_off(tmp_path: Path) -> None:
    for mark in ",;":
        text = f'"key{mark}name"\r\n"1{mark}a"\r\n"2{mark}""b{mark} c"""\r\n'
        read = parse_csv(text.encode(), "x.csv", is_known=["key", "name"].__contains__)
        assert list(read.rows()) == [RawRow(2, ("1", "a")), RawRow(3, ("2", f"b{mark} c"))]
        assert dict(read.notes)["quoted_lines"]
    usual = parse_csv(b'"key","name"\n"1","a"\n', "x.csv", is_known=["key", "name"].__contains__)
    assert (list(usual.rows()), usual.notes) == ([RawRow(2, ("1", "a"))], ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_files_need_no_encoding(tmp_path: Path, encoding: str) -> None:
    assert rows_of(tmp_path, "id,name\n1,Åsa\n".encode(encoding)) == [RawRow(2, ("1", "Åsa"))]


def test_bytes_of_no_encoding_are_named_by_line_with_the_way_out(tmp_path: Path) -> None:
    text = "id,name\n1,Åsa Öman\n2 ,Bö".encode() + b"\xc5sa\n"
    with pytest.raises(ProblemsError, match=r"file\.csv:3:7: byte 0xc5 .*--encoding cp1252"):
        rows_of(tmp_path, text)


def test_a_named_encoding_is_used(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "id,name\n1,Åsa\n".encode("latin-1"), encoding="latin-1")
    assert rows == [RawRow(2, ("1", "Åsa"))]


def test_an_unknown_encoding_is_answered_with_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="encoding 'latin-99' is unknown"):
        rows_of(tmp_path, "id\n1\n", encoding="latin-99")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_recognised(tmp_path: Path, encoding: str) -> None:
    assert rows_of(tmp_path, "id,name\n1,Bo\n".encode(encoding)) == [RawRow(2, ("1", "Bo"))]


def test_line_numbers_stay_true_after_cells_with_several_lines(tmp_path: Path) -> None:
    text = 'id,notes\r\n1,"a\r\nb\nc"\r\n\r\n2,x\r\n'
    first, second = rows_of(tmp_path, text)
    assert (first, second) == (
        RawRow(2, ("1", "a\r\nb\nc")),
        RawRow(6, ("2", "x"), after_blank=True),
    )


def test_a_quotation_mark_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    first, broken, third, fourth = rows_of(tmp_path, 'id,name\n1,a\n2,"b\n3,c\n4,d\n')
    assert (first, third, fourth) == (
        RawRow(2, ("1", "a")),
        RawRow(4, ("3", "c")),
        RawRow(5, ("4", "d")),
    )
    assert isinstance(broken, BrokenRow)
    assert (broken.line, broken.cut_off) == (3, True)
    assert "never closed" in broken.reason


def test_a_quotation_mark_that_swallows_a_neighbour_gives_it_back(tmp_path: Path) -> None:
    broken, *others = rows_of(tmp_path, 'id,name,note\n1,"a,x\n2,b,y\n3,"c",z\n')
    assert isinstance(broken, BrokenRow)
    assert broken.line == 2
    assert others == [RawRow(3, ("2", "b", "y")), RawRow(4, ("3", "c", "z"))]


def test_a_row_that_is_too_short_or_too_long_is_broken(tmp_path: Path) -> None:
    short, long, fine = rows_of(tmp_path, "a,b,c\n1,2\n1,2,3,4\n1,2,3,\n")
    assert isinstance(short, BrokenRow) and isinstance(long, BrokenRow)
    assert (short.reason, short.cut_off) == ("only 2 of 3 cells", False)
    assert long.reason == "4 cells where 3 were expected"
    assert fine == RawRow(4, ("1", "2", "3"))


@pytest.mark.parametrize("end", ["2,b", '2,b,"not', '2,b,"not\nfinish'])
def test_a_file_that_ends_in_the_middle_of_a_row_is_cut_off(tmp_path: Path, end: str) -> None:
    rows = rows_of(tmp_path, f"id,name,note\n1,a,x\n{end}")
    assert rows[0] == RawRow(2, ("1", "a", "x"))
    assert all(isinstance(row, BrokenRow) for row in rows[1:])
    assert any(isinstance(row, BrokenRow) and row.cut_off for row in rows)


def test_a_file_that_only_lacks_its_last_line_end_is_whole(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "id,name\n1,a") == [RawRow(2, ("1", "a"))]


def test_nul_characters_and_giant_cells_cost_their_row(tmp_path: Path) -> None:
    giant = "x" * 300_000
    nul, big, fine = rows_of(tmp_path, f"id,name\n1,a\0b\n2,{giant}\n3,c\n", encoding="utf-8")
    assert isinstance(nul, BrokenRow) and "NUL" in nul.reason
    assert isinstance(big, BrokenRow) and "200,000 characters" in big.reason
    assert fine == RawRow(4, ("3", "c"))


@pytest.mark.parametrize("data", ["", "\n", " , \n"])
def test_a_file_without_a_header_is_refused(tmp_path: Path, data: str) -> None:
    with pytest.raises(ProblemsError, match="no header line"):
        rows_of(tmp_path, data)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"gone\.csv cannot be read: No such file"):
        read_table(tmp_path / "gone.csv")


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_explained(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    for encoding in ("", "utf-8", "latin-1"):
        try:
            rows_of(tmp_path_factory.getbasetemp(), data, encoding=encoding)
        except ProblemsError as error:
            assert str(error)


@given(st.text(max_size=20))
def test_the_guard_against_formulas_is_taken_away_exactly(text: str) -> None:
    guarded = guard(text)
    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguard(guarded) == text


@pytest.mark.parametrize("text", ["'tis", "O'Brien", "", "'"])
def test_text_that_is_no_formula_has_no_guard(text: str) -> None:
    assert guard(text) == unguard(text) == text


@pytest.mark.parametrize(
    ("row", "end"),
    [
        ('{n},pipe 5","Nordvik {n},Proposal\n', ""),  # open at the end of the line, forever
        ('{n},pipe 5","Nordvik {n},Proposal\n', 'x"\n'),  # closed at last: far too many cells
        ('{n},"a,b,c\n', ""),
    ],
)
@pytest.mark.parametrize("count", [5_000, 20_000])
def test_quotes_that_are_never_closed_cost_time_in_proportion_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, end: str, count: int
) -> None:
    given_out = 0
    give_out = csv_reader._Lines.__next__

    def counting(lines: csv_reader._Lines) -> str:
        nonlocal given_out
        line = give_out(lines)
        given_out += len(line)
        return line

    monkeypatch.setattr(csv_reader._Lines, "__next__", counting)
    bad = "".join(row.format(n=number) for number in range(count))
    text = f"key,name,customer,stage\n{bad}{end}last,whole,row,Lead\n"
    rows = rows_of(tmp_path, text)

    assert given_out < 6 * len(text) + csv_reader._ALWAYS_AGAIN
    assert rows[-1].cells == ("last", "whole", "row", "Lead")
    broken = [each for each in rows if isinstance(each, BrokenRow)]
    assert [each.line for each in broken][:count] == list(range(2, count + 2))


def test_a_cell_that_may_have_swallowed_rows_says_which(tmp_path: Path) -> None:
    text = 'key,name,notes\n1,a,"open\n2,b,x\n3,c,y"\n4,d,"well, meant,\nand one, more"\n'
    swallowing, meant = rows_of(tmp_path, text)
    assert swallowing == RawRow(2, ("1", "a", "open\n2,b,x\n3,c,y"), inside=3)
    assert meant == RawRow(5, ("4", "d", "well, meant,\nand one, more"))


def test_rows_of_several_lines_are_read_after_any_number_of_broken_ones(tmp_path: Path) -> None:
    bad = '1,pipe 5","Nordvik\n' * 20_000
    rows = rows_of(tmp_path, f'key,name,notes\n{bad}x","\n2,whole,"one\ntwo"\n')
    assert rows[-1] == RawRow(20_003, ("2", "whole", "one\ntwo"))


def test_a_file_has_as_many_columns_as_a_workbook_at_most(tmp_path: Path) -> None:
    headers = [f"column {number}" for number in range(MAX_COLUMNS)]
    blank = ";" * 16_000  # as spreadsheets write columns that were formatted once
    assert rows_of(tmp_path, f"{';'.join(headers)}{blank}\n") == []
    with pytest.raises(ProblemsError, match="a row of more than 1,000 columns"):
        rows_of(tmp_path, ";".join([*headers, "one more"]) + "\n")


@pytest.mark.parametrize(
    ("cells", "is_cut"),
    [
        (("2026-11-01", "2026-11-02", "2026-1"), True),
        (("1.11.2026", "12.11.2026", "2.11.20"), False),  # days of two lengths: it does not show
        (("01.11.2026", "", "02.11."), True),
        (("2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z", "2026-11-02T10:"), True),
        (("2026-11-01", "2026-11-02", "2026-11-03"), False),
        (("2026-11-01", "2026-11-02", ""), False),
        (("1000", "2000", "500"), False),
        (("12.50", "10.25", "7"), False),
        (("Lead", "Lead", "Won"), False),
    ],
)
def test_a_file_that_is_cut_off_in_its_last_cell_is_seen_where_the_column_tells(
    tmp_path: Path, cells: tuple[str, ...], *, is_cut: bool
) -> None:
    text = "\n".join(["key,last", *(f"D-{n},{cell}" for n, cell in enumerate(cells))])
    *_, last = rows_of(tmp_path, text)
    assert isinstance(last, BrokenRow) == is_cut
    if isinstance(last, BrokenRow):
        assert last.cut_off and last.reason.endswith("the file ends in the middle of this row")
    assert all(isinstance(row, RawRow) for row in rows_of(tmp_path, text + "\n"))
