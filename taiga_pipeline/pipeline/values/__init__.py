"""Values as people write them: one reader per kind, for files, command line and sources alike.

Each kind has two steps. *Survey* all cells of a column: that decides how the column is written, and
says why. *Read* one cell by that decision. A single value is a column of one cell. What can be read
in two ways, and is not decided by its column or by an option, is refused.

==============  =====================================================================
`blank`         words that stand for nothing (``N/A``, ``NULL``, ``-``)
`currencies`    ISO 4217 codes, and the signs that people write for them
`units`         words around a number: currency and magnitude (``tkr``, ``MSEK``, ``Mio``)
`numerals`      digits with separators: each reading that they allow
`amounts`       money
`shares`        probabilities: per cent or fraction
`dates`         days, moments and periods
`numbers`       plain numbers: hours, weeks
==============  =====================================================================
"""
