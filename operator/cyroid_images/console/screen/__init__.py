"""What is printed, on a terminal and elsewhere.

output       tables, JSON and YAML
words        sizes, ages, bars and marks as people read them
painting     lines that change in place, or one line per change
rows         a range and a push as one line
showing      ranges as a table, one in full, both as they change
"""
