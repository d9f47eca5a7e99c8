"""The split as a picture for the data owner: rows per class and subset, darker where there are more.

One self-contained page of one hue with the number in every cell. It says which subset holds which class, so it stays in
the house; nobody else in the market gets it.
"""

from __future__ import annotations

from html import escape
from typing import Final

from freehold.learning.card_text import LONGEST_CATEGORY, unspell
from freehold.learning.certificate import Certificate

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70ch;margin:2rem auto;padding:0 1rem;color:#14181b;background:#fcfcfa}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.4rem .7rem;border:1px solid #d8d8d2;text-align:right}th{font-weight:600}caption{text-align:left}
td.dark{color:#fff}
"""


def split_page(certificate: Certificate) -> str:
    """The page of a certificate, in HTML."""
    names = [escape(unspell(name, "a class", 3 * LONGEST_CATEGORY)) for name in certificate.classes]
    totals = [sum(column) for column in zip(*certificate.counts, strict=True)]
    head = "".join(f"<th scope=col>{name}</th>" for name in names)
    body = "".join(_row(index, row, totals) for index, row in enumerate(certificate.counts))
    foot = "".join(f"<td>{total:,}</td>" for total in totals)
    return f"""<!doctype html>
<html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>How the rows are split</title><style>{_STYLE}</style>
<h1>How the rows are split</h1>
<p>No subset holds every class (R1), and none more than half of a class's rows (R2). This page stays with you: it says
which cloud owners hold which class.</p>
<table><caption>Rows per subset and class</caption>
<thead><tr><th scope=col>Subset</th>{head}<th scope=col>All</th></tr></thead>
<tbody>{body}</tbody>
<tfoot><tr><th scope=row>All</th>{foot}<td>{sum(totals):,}</td></tr></tfoot></table>
</html>
"""


def _row(index: int, counts: tuple[int, ...], totals: list[int]) -> str:
    cells = "".join(_cell(count, total) for count, total in zip(counts, totals, strict=True))
    return f"<tr><th scope=row>{index + 1}</th>{cells}<td>{sum(counts):,}</td></tr>"


def _cell(count: int, total: int) -> str:
    # R2 bounds the share at one half, so half is the darkest
    share = min(1.0, 2 * count / total) if total else 0.0
    dark = " class=dark" if share > 0.55 else ""
    return f'<td{dark} style="background:rgba(0,88,140,{share:.2f})">{count:,}</td>'
