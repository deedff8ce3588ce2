"""The words of the pages in other languages than Chinese, in which they are written."""
