"""What measures us against others; run by hand."""
