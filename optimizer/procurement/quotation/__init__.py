"""A point of a result as a quotation: Excel, PDF, CSV, JSON, CycloneDX."""
