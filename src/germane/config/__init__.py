"""``germane.toml``: read, typed, validated as a whole; every error says the key, the value and the remedy."""

from germane.config.audit import audit
from germane.config.audit_channels import audit_channels
from germane.config.audit_delivery import audit_campaigns, audit_delivery
from germane.config.audit_server import audit_server
from germane.config.campaigns import load_campaigns, read_campaign
from germane.config.channels import ChannelsSpec
from germane.config.finding import Finding
from germane.config.imports import ImportSpec
from germane.config.load import Loaded, Runtime, load, load_text
from germane.config.problems import Problem

__all__ = [
    "ChannelsSpec",
    "Finding",
    "ImportSpec",
    "Loaded",
    "Problem",
    "Runtime",
    "audit",
    "audit_campaigns",
    "audit_channels",
    "audit_delivery",
    "audit_server",
    "load",
    "load_campaigns",
    "load_text",
    "read_campaign",
]
