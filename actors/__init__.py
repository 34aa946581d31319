"""Thin Ray shells around the engine: the only package that imports ray. No decisions are taken here."""
