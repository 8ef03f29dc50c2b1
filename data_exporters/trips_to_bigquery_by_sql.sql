-- The rows of the block above it, into the table that this block's settings name.
SELECT * FROM {{ df_1 }}
