"""Functions of arrays for operations whose plain NumPy formula would be too slow.

Memory layouts, buffers, threads and BLAS are handled here; tensors, records and the graph in the packages above.
"""
