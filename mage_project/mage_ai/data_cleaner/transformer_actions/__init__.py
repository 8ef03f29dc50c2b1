"""mage_ai.data_cleaner.transformer_actions"""
