"""Bulk import: rows of CSV, JSONL and Parquet as events, people, items and consent."""

from germane.ingest.bulk.columns import KINDS, Mapping, map_columns
from germane.ingest.bulk.nested import Inside, inside_of
from germane.ingest.bulk.rows import Columns, Row, columns_of, count_rows, has_column, rows_of
from germane.ingest.bulk.shape import Shaper, grouped
from germane.ingest.bulk.statements import Statements
from germane.ingest.bulk.unusable import Unusable

__all__ = [
    "KINDS",
    "Columns",
    "Inside",
    "Mapping",
    "Row",
    "Shaper",
    "Statements",
    "Unusable",
    "columns_of",
    "count_rows",
    "grouped",
    "has_column",
    "inside_of",
    "map_columns",
    "rows_of",
]
