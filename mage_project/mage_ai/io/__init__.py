"""mage_ai.io"""
