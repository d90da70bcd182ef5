// What Paluku is, which version, where it keeps things and under which licences.
import QtQuick
import Paluku
import PalukuApp

Column {
    id: about

    required property SettingsController settings

    spacing: Theme.s16

    Wordmark {
        height: Theme.s32
    }
    UiText {
        width: parent.width
        wrapMode: Text.Wrap
        text: qsTr("Private, offline chat with DeepSeek models on your own computer.")
    }
    SettingsGroup {
        width: parent.width
        name: qsTr("About")

        SettingRow {
            name: qsTr("Version")

            UiText {
                color: Theme.ink2
                text: about.settings.version
            }
        }
        SettingRow {
            name: qsTr("Your conversations are kept in")
            hint: about.settings.dataPath
        }
    }
    UiText {
        width: parent.width
        wrapMode: Text.Wrap
        role: Theme.caption
        color: Theme.ink3
        text: qsTr("Paluku is free software under the MIT licence. It uses Qt under the LGPL, version 3, and the Noto fonts under the SIL Open Font License 1.1.")
    }
}
