"""What a line's words say of a part (sizes, generations, forms), and which parts of the catalog are so."""
