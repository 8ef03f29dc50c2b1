"""mage_ai.data_preparation.models"""
