"""The only place where activities meet. One verb a file; `cli` and `web` call these and nothing below them."""
