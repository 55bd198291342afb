"""The backtest's report: one HTML file without scripts and without any outside host."""

from germane.cli.report.page import page
from germane.cli.report.words import plain_answer

__all__ = ["page", "plain_answer"]
