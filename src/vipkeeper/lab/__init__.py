"""A cluster in a box: namespaces, stand-ins, faults, client probe, observer, measurement."""
