"""A result as a page and as pictures: one HTML file that needs no network, SVG, PNG (docs/report.md).

`page.report_html` makes the page, `pictures` SVG and PNG. What they show stands in small modules: each makes a view, a
dataclass of texts and figures that a template under templates/ writes out, escaped. Nothing here computes a price or
a throughput: all figures are those of the result.
"""
