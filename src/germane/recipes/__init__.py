"""Recipes: folders of configuration, content and catalogue that `germane init` copies."""
