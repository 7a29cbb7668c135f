"""The words of the command in every language: headings, labels, progress."""
