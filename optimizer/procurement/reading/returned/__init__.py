"""Requests for quotation that dsopt wrote, as bidders return them: read by what they say of themselves, not guessed."""
