"""What is asked for: each field of a request, who enforces it, and how a build is judged by it."""
