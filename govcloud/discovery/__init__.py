"""Collecting what is there: workbooks, hosts over SSH, and the merge of what they say."""
