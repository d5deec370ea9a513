"""Medians, percentiles, and how they are written."""

import statistics


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def spread(values, form=",.0f"):
    """"median (min-max)"."""
    if not values:
        return "-"
    return f"{statistics.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def milliseconds(values):
    return [value * 1000 for value in values]
