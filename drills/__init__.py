"""Drills and the training simulator: scripted visitors in real conversations that are marked and counted nowhere."""
