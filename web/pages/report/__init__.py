"""The report of a change, and what is done with it: repaired, written about, applied, watched, taken back."""
