"""Drafts of variants by a language model: asked with a brief and the catalogue, never with a person's data;
checked as if it lied; used by nobody before a person has approved them.
"""
