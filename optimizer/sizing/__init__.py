"""Memory and speed of a model on given hardware, without a purchase: `dsopt size`."""
