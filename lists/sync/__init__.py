"""Pushes: from a plan to an honest history. The only place that knows both our models and the vendors."""
