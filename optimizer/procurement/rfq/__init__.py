"""A request for quotation out of a result: what is wanted by figures, for bidders to fill in and dsopt to read back."""
