"""The exercises, one a file: statement, hints, our solution between markers, how it is checked, which faults are named.

The order is that of `gradlab.learn.course`.
"""
