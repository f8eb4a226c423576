"""Who gets the order: one bidder for all, or the split by line or lot that costs least under the bidders' terms."""
