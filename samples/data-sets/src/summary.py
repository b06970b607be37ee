"""What is in the columns of a table, as a table."""

import csv
import io
import statistics

COLUMNS = ["column", "values", "numbers", "mean", "least", "most"]


def summarise(text: str) -> list[list[str]]:
    """One row per column of the CSV, in the order of COLUMNS; ValueError for a text that is no table."""
    rows = list(csv.reader(io.StringIO(text)))
    if len(rows) < 2 or len(set(map(len, rows))) != 1:
        raise ValueError("This is no table: it needs a line of names, and lines that are as long.")
    names, *lines = rows
    return [[name, *_facts([line[at] for line in lines])] for at, name in enumerate(names)]


def as_csv(summary: list[list[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(summary)
    return text.getvalue()


def _facts(values: list[str]) -> list[str]:
    given = [value for value in values if value.strip()]
    numbers = [number for number in map(_number, given) if number is not None]
    if not numbers:
        return [str(len(given)), "0", "", "", ""]
    facts = statistics.fmean(numbers), min(numbers), max(numbers)
    return [str(len(given)), str(len(numbers)), *(f"{fact:g}" for fact in facts)]


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
