"""Where results go.

PNG, videos, arrays, tables; each written aside and renamed when complete.
"""
