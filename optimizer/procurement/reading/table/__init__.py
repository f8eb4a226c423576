"""Where the quote stands in a sheet: its header, its rows, its sums."""
