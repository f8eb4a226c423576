"""What the certificate solves: the variables of one family, and the axes that a front ascends in."""
