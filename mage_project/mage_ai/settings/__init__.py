"""mage_ai.settings"""
