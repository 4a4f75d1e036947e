"""How findings are shown: tables on the terminal, figures, the page, the summary in Markdown."""
