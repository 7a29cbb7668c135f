"""Speed and memory of a verification beside `curl --parallel`, on real servers: `python -m bench`."""
