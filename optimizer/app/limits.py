"""What the app takes and how long it works: bounds of uploads, of jobs and of time."""

from __future__ import annotations

MEGABYTE = 1_000_000
MOST_FILE_BYTES = 20 * MEGABYTE
"""Of one uploaded quote; a vendor's workbook with pictures has a few."""
MOST_FILES = 8
"""Quotes compared at once."""
MOST_UPLOAD_BYTES = 60 * MEGABYTE
"""Of all files of one request together."""
MOST_JSON_BYTES = MEGABYTE // 10
"""Of a request without files."""
MOST_TEXT = 300
"""Characters of one value of a form."""
MOST_NAME = 80
"""Characters of an uploaded file's name that are kept."""
SOLVE_LIMIT_S = 300.0
"""Seconds of a solve; then the best checked front so far is shown."""
QUESTION_LIMIT_S = 120.0
"""Seconds of a why-not, an X-ray and a report's search for what binds."""
COMPARE_LIMIT_S = 10.0
"""Seconds of each search of a comparison: of the cheapest build as fast as a bid's."""
JOBS_AT_ONCE = 2
MOST_WAITING = 8
"""Jobs of all clients that wait for a worker; one more is refused."""
MOST_KEPT = 60
"""Finished jobs of all clients whose answers are kept; the oldest goes first."""
