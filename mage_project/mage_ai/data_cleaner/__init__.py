"""mage_ai.data_cleaner"""
