"""mage_ai.shared"""
