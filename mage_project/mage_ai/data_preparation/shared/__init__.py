"""mage_ai.data_preparation.shared"""
